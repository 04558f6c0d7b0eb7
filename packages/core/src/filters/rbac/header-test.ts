// Header rules of RBAC, with the care that repeated headers need (see RuleScope.refusing).
import type { HeaderMatcher } from '@heddle/xds';
import { type CompiledHeader, compileHeaderMatcher } from '../../matching/header-matcher.js';
import type { RbacRequest, RbacTest, RuleScope } from './rbac-request.js';

export function compileHeaderTest(matcher: HeaderMatcher, scope: RuleScope): RbacTest {
  const header = compileHeaderMatcher(matcher);
  if (!scope.refusing || header.name.startsWith(':')) return (request) => header.matches(request);
  return (request) => header.matches(request) || someValueMatches(header, request);
}

function someValueMatches(header: CompiledHeader, request: RbacRequest): boolean {
  const joined = request.header(header.name);
  if (joined?.includes(',') !== true) return false;
  return joined.split(',').some((value) => header.matches({ header: () => value.trim() }));
}
