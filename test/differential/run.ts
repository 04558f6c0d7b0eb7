// `node test/differential/run.ts [CASE…]`: the same requests through Envoy and through Heddle, both fed by istiod; prints what differs, exits 1 where any does.
import { registerHooks } from 'node:module';

// Sources name their modules as compiled ones do.
registerHooks({
  resolve(specifier, context, next) {
    const own = specifier.startsWith('.') && context.parentURL?.includes('/test/') === true;
    return next(own ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});

const { envoyBinary } = await import('../support/parts/envoy.js');
const { istiodLabBinary } = await import('./istiod/istiod-lab.js');
const { caseNames, loadCase } = await import('./harness/case-file.js');
const { runCase } = await import('./harness/run-case.js');

const lab = istiodLabBinary();
const envoy = envoyBinary();
if (lab === undefined || !envoy.available) {
  console.error(lab === undefined ? 'the istiod lab is not built (HEDDLE_ISTIODLAB)' : envoy.available || envoy.reason);
  process.exit(2);
}
const wanted = process.argv.slice(2);
let failed = 0;
for (const name of wanted.length > 0 ? wanted : caseNames()) {
  const file = loadCase(name);
  if (file === undefined) {
    console.log(`${name}: skipped, the corpora are not there`);
    continue;
  }
  console.log(`${name}: ${file.about}`);
  await runCase(file, { lab, envoy: envoy.value }, ({ request, outcome, differences }) => {
    console.log(`  ${differences.length === 0 ? 'same' : 'DIFFERS'}  ${request}: ${outcome}`);
    for (const { lane, field, envoy: theirs, heddle } of differences) {
      failed += 1;
      console.log(`      ${lane}, ${field}:\n        envoy  ${theirs}\n        heddle ${heddle}`);
    }
  });
}
console.log(failed === 0 ? 'no differences' : `${String(failed)} differences`);
process.exit(failed === 0 ? 0 : 1);
