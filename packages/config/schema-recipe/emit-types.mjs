// Writes the TypeScript type of one kind's spec from its compact schema: one interface an object, shared ones once.

const pascal = (text) => text.replace(/(^|[^A-Za-z0-9])([A-Za-z0-9])/g, (_, __, c) => c.toUpperCase());
const singular = (text) => {
  if (/ies$/.test(text)) return text.replace(/ies$/, 'y');
  if (/(ch|sh|x|ss)es$/.test(text)) return text.replace(/es$/, '');
  return /(ss|us|tls|cors)$/i.test(text) ? text : text.replace(/s$/, '');
};

export function emitTypes(prefix, schema) {
  const interfaces = [];
  const taken = new Set();
  const byDef = new Map();
  const name = (path) => {
    for (let take = 1; ; take++) {
      const candidate = `${prefix}${path.slice(-take).map(pascal).join('')}`;
      if (!taken.has(candidate)) return (taken.add(candidate), candidate);
      if (take > path.length) throw new Error(`no name left for ${prefix}.${path.join('.')}`);
    }
  };
  const typeOf = (node, path, isItem = false) => {
    if (node.$ref) {
      const field = isItem ? singular(node.$ref) : node.$ref;
      if (!byDef.has(node.$ref)) byDef.set(node.$ref, typeOf(schema.defs[node.$ref], [...path.slice(0, -1), field]));
      return byDef.get(node.$ref);
    }
    return node.nullable ? `${bare(node, path)} | null` : bare(node, path);
  };
  const bare = (node, path) => {
    if (Array.isArray(node.type)) return 'number | string';
    if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(' | ');
    if (node.type === 'array')
      return arrayOf(typeOf(node.items ?? {}, [...path.slice(0, -1), singular(path.at(-1))], true));
    if (node.type === 'object') return objectType(node, path);
    return { string: 'string', integer: 'number', number: 'number', boolean: 'boolean' }[node.type] ?? 'unknown';
  };
  const objectType = (node, path) => {
    if (node.additionalProperties)
      return `Readonly<Record<string, ${typeOf(node.additionalProperties, [...path.slice(0, -1), singular(path.at(-1))])}>>`;
    if (!node.properties) return 'Readonly<Record<string, unknown>>';
    const id = name(path);
    const at = interfaces.push('') - 1;
    const fields = Object.entries(node.properties).map(([field, child]) => {
      const optional = !(node.required ?? []).includes(field);
      const key = /^[A-Za-z_]\w*$/.test(field) ? field : JSON.stringify(field);
      return `  readonly ${key}${optional ? '?' : ''}: ${typeOf(child, [...path, field])}${optional ? ' | undefined' : ''};`;
    });
    if (node.open) fields.push('  readonly [field: string]: unknown;');
    interfaces[at] = `export interface ${id} {\n${fields.join('\n')}\n}\n`;
    return id;
  };
  typeOf(schema, ['spec']);
  return interfaces.join('\n');
}

const arrayOf = (type) => (/[|]/.test(type) ? `readonly (${type})[]` : `readonly ${type}[]`);
