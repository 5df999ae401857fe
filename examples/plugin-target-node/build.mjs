// Bundles the plugin and all that it needs into one executable file, hookarr-target-text.
// One file is what Hookarr's plugin directory takes, and what plugins.lock pins.
//
//	npm run build                          # runs by the Node.js that builds it
//	npm run build -- /usr/local/bin/node   # runs by another
import { chmodSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';

const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'));

await build({
  entryPoints: ['src/main.mjs'],
  outfile: name,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // A file without an extension is taken for CommonJS by every version of Node.js.
  format: 'cjs',
  loader: { '.proto': 'text' },
  define: { VERSION: JSON.stringify(version) },
  // A plugin has no PATH: the path of its interpreter is absolute.
  banner: { js: `#!${process.argv[2] ?? process.execPath}` },
  logLevel: 'warning',
});
chmodSync(name, 0o755);
