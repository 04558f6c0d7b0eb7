// The access log: a line per finished call to a logger of pino's shape or a stream. Off unless asked for.
import type { CallRecord } from '../call-record.js';
import type { Clock } from '../../clock.js';
import { formatAccessLog } from './default-format.js';

/** Where lines go: `info` of pino and its kin, or `write` of a stream (which gets a line end). */
export type AccessLogSink = { info(line: string): unknown } | { write(line: string): unknown };

export type AccessLog = (call: CallRecord) => void;

/** Logs to `sink`. A sink that throws loses its line and nothing else. */
export function createAccessLog(sink: AccessLogSink, clock: Clock): AccessLog {
  return (call) => {
    const startWallMs = clock.wallMs() - (clock.nowMs() - call.startMs);
    const line = formatAccessLog(call, startWallMs);
    if ('info' in sink) sink.info(line);
    else sink.write(line + '\n');
  };
}
