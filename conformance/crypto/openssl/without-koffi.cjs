// For `node --require`: what `require('koffi')` gives, by the environment variable FAKE_KOFFI; and, by FAKE_RUNTIME, another
// runtime's mark in process.versions.

const Module = require('node:module');

const { FAKE_KOFFI: fake, FAKE_RUNTIME: runtime } = process.env;
if (runtime !== undefined)
  Object.defineProperty(process, 'versions', { value: { ...process.versions, [runtime]: '1.0.0' } });

const load = Module._load;
Module._load = function (name, ...rest) {
  if (name !== 'koffi' || fake === undefined) return load.call(this, name, ...rest);
  if (fake === 'absent') {
    const error = new Error("Cannot find module 'koffi'\nRequire stack:\n- somewhere");
    throw Object.assign(error, { code: 'MODULE_NOT_FOUND' });
  }
  return changed(load.call(this, name, ...rest), fake);
};

function changed(koffi, fake) {
  return {
    ...koffi,
    address: (value) => koffi.address(value) | (fake === 'tagged' ? 0xb4n << 56n : 0n),
    sizeof: (type) => (fake === 'narrow' && type === 'size_t' ? 4 : koffi.sizeof(type)),
    load(path) {
      const library = koffi.load(path);
      const [how, which] = fake.split(':');
      return {
        func(symbol, ...types) {
          if (how === 'missing' && symbol === which)
            throw new Error(`Cannot find function '${symbol}' in shared library`);
          const call = library.func(symbol, ...types);
          if (symbol !== which) return call;
          if (how === 'fails') return () => 0;
          if (how === 'tagged') return () => BigInt(call()) | (0xb4n << 56n);
          if (how === 'other') return () => call() + 1;
          if (how === 'wrong') return (...values) => call(...values.with(-1, values.at(-1) - 1));
          return call;
        },
      };
    },
  };
}
