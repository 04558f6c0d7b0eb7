// Applies the header operations of routes to requests and responses (Envoy: header_parser.cc, evaluateHeaders: remove, then add in order).
import type { FormatContext, HeaderOperation, HeaderOperations } from '../../snapshot/route-snapshot.js';
import type { Clock } from '../../clock.js';
import type { CallRecord } from '../../telemetry/call-record.js';
import type { OutboundHead } from '../exchange/outbound-head.js';
import type { LocalReply } from '../exchange/local-reply.js';
import type { AnsweredCall, ForwardedCall } from '../prepare-call.js';

export function amendRequest(operations: HeaderOperations, head: OutboundHead, context: FormatContext): void {
  for (const name of operations.remove) head.removeHeader(name);
  for (const operation of operations.set) {
    const value = operationValue(operation, context);
    if (value === '' && !operation.keepEmptyValue) continue;
    const present = operation.mode !== 'append' && head.header(operation.name) !== undefined;
    switch (operation.mode) {
      case 'append':
        head.headers.push(operation.name, value);
        break;
      case 'overwrite':
        head.setHeader(operation.name, value);
        break;
      case 'add-if-absent':
        if (!present) head.headers.push(operation.name, value);
        break;
      case 'overwrite-if-exists':
        if (present) head.setHeader(operation.name, value);
        break;
    }
  }
}

export type ResponseHeaders = Record<string, string | string[] | undefined>;

export function amendResponse(operations: HeaderOperations, headers: ResponseHeaders, context: FormatContext): void {
  for (const name of operations.remove) Reflect.deleteProperty(headers, name);
  for (const operation of operations.set) {
    const value = operationValue(operation, context);
    if (value === '' && !operation.keepEmptyValue) continue;
    const before = headers[operation.name];
    switch (operation.mode) {
      case 'append':
        headers[operation.name] = before === undefined ? value : [before, value].flat();
        break;
      case 'overwrite':
        headers[operation.name] = value;
        break;
      case 'add-if-absent':
        if (before === undefined) headers[operation.name] = value;
        break;
      case 'overwrite-if-exists':
        if (before !== undefined) headers[operation.name] = value;
        break;
    }
  }
}

/** A redirect or direct response with the header operations of its route (Envoy: DirectResponseEntry::finalizeResponseHeaders). */
export function answeredReply({ plan, reply }: AnsweredCall, head: OutboundHead, clock: Clock): LocalReply {
  const operations = plan?.responseHeaders;
  if (operations === undefined || reply.code !== undefined) return reply;
  const headers: ResponseHeaders = Object.fromEntries(reply.headers);
  amendResponse(operations, headers, {
    head,
    responseHeader: (name) => [headers[name]].flat().join(',') || undefined,
    upstreamAddress: '',
    upstreamCluster: '',
    downstreamAddress: undefined,
    wallMs: clock.wallMs(),
  });
  const values = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((each): [string, string][] => (each === undefined ? [] : [[name, each]])),
  );
  return { ...reply, headers: values };
}

/** What a route and its weighted cluster want of the response: the number of attempts where it is asked for, then all header operations. */
export function amendRoutedResponse(
  call: ForwardedCall,
  headers: ResponseHeaders,
  head: OutboundHead,
  { attempts, upstreamAddress }: Pick<CallRecord, 'attempts' | 'upstreamAddress'>,
  clock: Clock,
): void {
  if (call.action.includeAttemptCountInResponse === true && attempts > 0)
    headers['x-envoy-attempt-count'] = String(attempts);
  const route = call.plan?.responseHeaders;
  const entry = call.entry?.responseHeaders;
  if (route === undefined && entry === undefined) return;
  const context: FormatContext = {
    head,
    responseHeader: (name) => [headers[name]].flat().join(',') || undefined,
    upstreamAddress,
    upstreamCluster: call.cluster.name,
    downstreamAddress: undefined,
    wallMs: clock.wallMs(),
  };
  if (entry !== undefined) amendResponse(entry, headers, context);
  if (route !== undefined) amendResponse(route, headers, context);
}

const operationValue = ({ value }: HeaderOperation, context: FormatContext) =>
  typeof value === 'string' ? value : value(context);
