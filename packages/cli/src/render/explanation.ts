// An explanation as text: one line a decision, the mark tells taken, passed over or noted.
import type { WholeExplanation } from '../commands/explain.js';

type Step = WholeExplanation['outbound']['steps'][number];

const MARKS: Record<Step['verdict'], string> = { chosen: '+', rejected: '-', info: ' ' };

export function explanationLines({ outbound, inbound }: WholeExplanation): string[] {
  const { method, authority, path } = outbound.request;
  const lines = [`${method} http://${authority}${path}`, '', ...outbound.steps.map(stepLine)];
  if (inbound !== undefined) {
    lines.push('', `at ${inbound.workload}:`, ...inbound.explanation.steps.map(stepLine));
    lines.push(inbound.explanation.allowed ? '+ the call is let in' : '- the call is refused');
  }
  return lines;
}

/** `+ route         canary: matches  (VirtualService bookinfo/reviews, mesh/reviews.yaml:15:7)`. */
function stepLine({ stage, subject, verdict, reason, origin }: Step): string {
  const place = [origin?.file, origin?.line, origin?.column].filter((part) => part !== undefined).join(':');
  const source = origin === undefined ? '' : `  (${place === '' ? origin.object : `${origin.object}, ${place}`})`;
  return `${MARKS[verdict]} ${stage.padEnd(13)} ${subject}: ${reason}${source}`;
}
