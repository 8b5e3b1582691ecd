import * as noble from '@noble/post-quantum/ml-dsa.js';
import { MlDsa } from '../noble-ml-dsa.ts';

export const mlDsa: MlDsa = new MlDsa(() => noble);
