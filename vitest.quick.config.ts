import { configDefaults, defineConfig } from 'vitest/config';
import config from './vitest.config.ts';

// `npm run test:quick`: what tells most in a minute, on two cores. Tests without programs, without a build, and without
// settings that count for a whole process, so that the files of a worker share what they import, which is half of the time.
const ENGINE = 'packages/tls/src';

export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: [
      'packages/{codec,crypto,x509}/src/**/*.test.ts',
      `${ENGINE}/*.test.ts`,
      `${ENGINE}/!(groups|legacy|node|testing)/**/*.test.ts`,
      // The Node door, by what most programs do with it.
      `${ENGINE}/node/**/{alpn,data,ending,errors,https,material,options,sessions,verification}.test.ts`,
      'apps/testudo/src/{config,output}/**/*.test.ts',
    ],
    exclude: [
      ...configDefaults.exclude,
      // Seconds each, for every combination of something, or every place where something may be cut.
      '**/{compression,every-suite,everything-later,state-machine,transcript}.test.ts',
      '**/connection/{connection,handshake}.test.ts',
      // They ask OpenSSL's program.
      '**/curve-forms.test.ts',
    ],
    isolate: false,
  },
});
