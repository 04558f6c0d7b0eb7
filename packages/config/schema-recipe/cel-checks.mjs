// Maps the CEL rules of the CRDs (x-kubernetes-validations) to what Heddle's validator knows: plain schema keywords, groups of
// fields of which at most one may be set, and the named checks of src/schema/checks.ts. A rule that is in no list is printed by
// generate.mjs, so that a new release of the CRDs can't add one silently.

const quoted = `['"]([A-Za-z0-9]+)['"]`;

/** Rules that are told by their form. Each returns a partial node: `{ checks }`, `{ atMostOne }` or plain keywords. */
const forms = [
  [
    /^(?:\(has\(self\.\w+\) \? 1 : 0\)(?: \+ )?)+ <= 1$/,
    (_, rule) => ({ atMostOne: [[...rule.matchAll(/has\(self\.(\w+)\)/g)].map((m) => m[1])] }),
  ],
  [/^!\(has\(self\.(\w+)\) && has\(self\.(\w+)\)\)$/, (m) => ({ atMostOne: [[m[1], m[2]]] })],
  [
    new RegExp(`^!\\(has\\(self\\.(\\w+)\\) && self\\.type != ${quoted}\\)$`),
    (m) => ({ checks: [['onlyForType', m[1], m[2]]] }),
  ],
  [
    new RegExp(`^has\\(self\\.(\\w+)\\) \\? self\\.type == ${quoted} ?: true$`),
    (m) => ({ checks: [['onlyForType', m[1], m[2]]] }),
  ],
  [
    new RegExp(`^!\\(!has\\(self\\.(\\w+)\\) && self\\.type == ${quoted}\\)$`),
    (m) => ({ checks: [['neededForType', m[1], m[2]]] }),
  ],
  [
    new RegExp(`^self\\.type == ${quoted} \\? has\\(self\\.(\\w+)\\) ?: true$`),
    (m) => ({ checks: [['neededForType', m[2], m[1]]] }),
  ],
  [
    new RegExp(`^self\\.filter\\(f, f\\.type == ${quoted}\\)\\.size\\(\\) <= 1$`),
    (m) => ({ checks: [['filterNotRepeated', m[1]]] }),
  ],
  [/^\(self\.type in \['Exact','PathPrefix'\]\)/, () => ({ checks: [['gatewayPath']] })],
  [/^self\.type in \['Exact','PathPrefix'\]/, () => ({ checks: [['gatewayPath']] })],
  [/^!\('\*' in self && self\.size\(\) > 1\)$/, () => ({ checks: [['starAlone']] })],
  [
    /replacePrefixMatch\)\)\)( \))*\)* \? \(\(size\(self\.matches\) != 1/,
    () => ({ checks: [['prefixRewriteNeedsPrefixMatch']] }),
  ],
];

/** Rules by their exact text (white space folded). */
const exact = {
  "duration(self) >= duration('1ms')": { checks: [['duration']] },
  '0 < self && self <= 65535': { minimum: 1, maximum: 65535 },
  'self != "*"': { checks: [['notStar']] },
  '!self.contains("*")': { checks: [['noWildcard']] },
  'self.all(key, !key.contains("*"))': { checks: [['keysWithoutWildcard']] },
  'self.all(key, key.size() != 0)': { checks: [['keysNotEmpty']] },
  'self.all(key, 0 < int(key) && int(key) <= 65535)': { checks: [['keysArePorts']] },
  'self.size() == 0': { checks: [['mustBeEmpty']] },
  'self in ["", "HTTP", "HTTPS"]': { enum: ['', 'HTTP', 'HTTPS'] },
  'url(self).getScheme() in ["http", "https"]': { checks: [['httpUrl']] },
  'has(self.wasm) != has(self.lua)': { checks: [['exactlyOneOf', 'wasm', 'lua']] },
  'has(self.address) || has(self.network)': { checks: [['addressOrNetwork']] },
  'self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true': {
    checks: [['unixAddress']],
  },
  'self.startsWith("unix://") ? !self.endsWith("/") : true': { checks: [['unixAddress']] },
  'self.all(l1, self.exists_one(l2, l1.number == l2.number))': { checks: [['portNumbersUnique']] },
  '((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true': {
    checks: [['endpointsFitResolution']],
  },
  '((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? ((has(self.endpoints) ? self.endpoints : []).size() <= 1) : true':
    { checks: [['endpointsFitResolution']] },
  '!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && !((has(self.resolution) ? self.resolution : "NONE") in ["STATIC", "NONE"]))':
    { checks: [['endpointsFitResolution']] },
  '(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) && !has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true':
    { checks: [['serviceAccountsAlone']] },
  'has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? self.selector.matchLabels : {}).size() > 0) : true':
    { checks: [['portLevelNeedsSelector']] },
  '((has(self.operation) ? self.operation : "") == "UPSERT") ? (self.value != "") : true': {
    checks: [['tagOverrideValue']],
  },
  '((has(self.operation) ? self.operation : "") == "REMOVE") ? !has(self.value) : true': {
    checks: [['tagOverrideValue']],
  },
  'has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : !has(self.waypoint)':
    { checks: [['waypointMatch']] },
  'has(self.type) ? has(self.service) || has(self.method) : true': { checks: [['grpcMethodMatch']] },
  "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))":
    { checks: [['backendRequestWithinRequest']] },
  '(has(self.backendRefs) && size(self.backendRefs) > 0) ? (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))): true':
    { checks: [['redirectWithoutBackends']] },
  "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true": { checks: [['serviceNeedsPort']] },
  'self.numerator <= self.denominator': { checks: [['fractionAtMostOne']] },
  "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))": {
    checks: [['redirectOrRewrite']],
  },
};

/** Turns the rules of one schema node into keywords and checks; rules that no list knows go to `unknown`. */
export function fromCel(rules, unknown) {
  const out = { checks: [], atMostOne: [], keywords: {} };
  for (const { rule } of rules) {
    const text = rule.replace(/\s+/g, ' ').trim();
    const form = forms.find(([pattern]) => pattern.test(text));
    const found = exact[text] ?? (form ? form[1](text.match(form[0]), text) : undefined);
    if (!found) {
      unknown.add(text);
      continue;
    }
    const { checks = [], atMostOne = [], ...keywords } = found;
    for (const check of checks)
      if (!out.checks.some((c) => JSON.stringify(c) === JSON.stringify(check))) out.checks.push(check);
    out.atMostOne.push(...atMostOne);
    Object.assign(out.keywords, keywords);
  }
  return out;
}
