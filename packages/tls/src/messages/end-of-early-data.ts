import { empty } from '@testudo/codec';
import { type Message, message } from './handshake-type.ts';

/** The client's early data is over (RFC 9846 §4.6). */
export const endOfEarlyData: Message<true> = message('end_of_early_data', empty);
