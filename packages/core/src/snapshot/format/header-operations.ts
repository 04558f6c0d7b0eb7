// Header additions and removals of table, virtual host, route and weighted cluster, merged into one list (Envoy: HeaderParser, custom headers).
import { type HeaderValueOption, HeaderValueOption_HeaderAppendAction as Action } from '@heddle/xds';
import { asciiLower } from '../../matching/ascii-case.js';
import type { CompileReport } from '../compile-report.js';
import type { HeaderOperation, HeaderOperations } from '../route-snapshot.js';
import { compileFormat } from './format-string.js';

/** Removes and adds of one level, as the configuration has them. */
export interface HeaderLevel {
  readonly add: readonly HeaderValueOption[];
  readonly remove: readonly string[];
  /** Path of the level's fields up to `_to_add` / `_to_remove`: `virtual_hosts[0].request_headers`. */
  readonly path: string;
}

/**
 * Merges levels in the order in which they apply. A level removes before it adds, so a later removal also takes back what earlier levels added: with that
 * done, one list of removals before one list of additions says the same.
 */
export function mergeHeaderLevels(levels: readonly HeaderLevel[], report: CompileReport): HeaderOperations | undefined {
  if (levels.every((level) => level.add.length === 0 && level.remove.length === 0)) return undefined;
  const remove = new Set<string>();
  let set: HeaderOperation[] = [];
  for (const level of levels) {
    for (const [index, name] of level.remove.entries()) {
      const key = modifiableName(name, `${level.path}_to_remove[${index}]`, report);
      if (key === undefined) continue;
      remove.add(key);
      set = set.filter((operation) => operation.name !== key);
    }
    for (const [index, option] of level.add.entries()) {
      const operation = compileOption(option, `${level.path}_to_add[${index}]`, report);
      if (operation !== undefined) set.push(operation);
    }
  }
  return remove.size === 0 && set.length === 0 ? undefined : { remove: [...remove], set };
}

function compileOption(option: HeaderValueOption, path: string, report: CompileReport): HeaderOperation | undefined {
  const { header } = option;
  if (header === undefined) {
    report.fault(`${path}.header`, 'must be set');
    return undefined;
  }
  const name = modifiableName(header.key, `${path}.header.key`, report);
  const text = header.rawValue.length > 0 ? Buffer.from(header.rawValue).toString('latin1') : header.value;
  const value = compileFormat(text, `${path}.header.value`, report);
  return name === undefined ? undefined : { name, mode: modeOf(option), keepEmptyValue: option.keepEmptyValue, value };
}

function modeOf(option: HeaderValueOption): HeaderOperation['mode'] {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- `append` still wins over append_action where it is set (Envoy)
  const { append } = option;
  if (append !== undefined) return append ? 'append' : 'overwrite';
  switch (option.appendAction) {
    case Action.APPEND_IF_EXISTS_OR_ADD:
      return 'append';
    case Action.ADD_IF_ABSENT:
      return 'add-if-absent';
    case Action.OVERWRITE_IF_EXISTS_OR_ADD:
      return 'overwrite';
    case Action.OVERWRITE_IF_EXISTS:
      return 'overwrite-if-exists';
  }
}

/** Envoy: neither pseudo headers nor Host may be added or removed. */
function modifiableName(name: string, path: string, report: CompileReport): string | undefined {
  const key = asciiLower(name);
  if (key === '') report.fault(path, 'must not be empty');
  else if (key.startsWith(':') || key === 'host') report.fault(path, ':-prefixed headers or Host may not be changed');
  else if (/[\0\r\n]/.test(key)) report.fault(path, 'is not a header name');
  else return key;
  return undefined;
}
