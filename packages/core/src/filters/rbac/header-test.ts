// Header rules of RBAC, with the care that repeated headers need (see RuleScope.refusing).
import type { HeaderMatcher } from '@heddle/xds';
import { type CompiledHeader, compileHeaderMatcher } from '../../matching/header-matcher.js';
import type { RbacRequest, RbacTest, RuleScope } from './rbac-request.js';

export function compileHeaderTest(matcher: HeaderMatcher, scope: RuleScope): RbacTest {
  const header = compileHeaderMatcher(matcher);
  if (!scope.refusing || header.name.startsWith(':'))
    return exactTest(matcher, header) ?? ((request) => header.matches(joinedValues(request)));
  return (request) => header.matches(request) || someValueMatches(header, request);
}

/** Stricter than Envoy: what allows must hold for the header as a whole, whichever of its values the application goes by. */
const joinedValues = (request: RbacRequest) => ({ header: (name: string) => request.header(name) });

/** `:method` is exactly this: nearly every rule of Istio begins so, and a request tries many rules. */
function exactTest(matcher: HeaderMatcher, { name }: CompiledHeader): RbacTest | undefined {
  const specifier = matcher.headerMatchSpecifier;
  if (specifier.case !== 'stringMatch' || specifier.value.ignoreCase) return undefined;
  const { matchPattern } = specifier.value;
  // What is missing is not equal to an empty text either, unless it counts as empty.
  if (matchPattern.case !== 'exact' || matcher.invertMatch || matcher.treatMissingHeaderAsEmpty) return undefined;
  const wanted = matchPattern.value;
  return (request) => request.header(name) === wanted;
}

function someValueMatches(header: CompiledHeader, request: RbacRequest): boolean {
  const joined = request.header(header.name);
  if (joined?.includes(',') !== true) return false;
  return joined.split(',').some((value) => header.matches({ header: () => value.trim() }));
}
