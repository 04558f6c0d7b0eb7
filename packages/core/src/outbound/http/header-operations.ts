// Applies the header operations of routes to requests and responses (Envoy: header_parser.cc, evaluateHeaders: remove, then add in order).
import type { FormatContext, HeaderOperation, HeaderOperations } from '../../snapshot/route-snapshot.js';
import type { OutboundHead } from '../exchange/outbound-head.js';

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

const operationValue = ({ value }: HeaderOperation, context: FormatContext) =>
  typeof value === 'string' ? value : value(context);
