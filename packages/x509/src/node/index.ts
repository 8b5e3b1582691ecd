export { systemRoots } from './system-roots.ts';
