export { ja3, ja3Text } from './ja3.ts';
export { type Ja4Options, ja4, ja4Text } from './ja4.ts';
