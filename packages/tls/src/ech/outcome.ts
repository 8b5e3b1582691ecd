/**
 * What became of Encrypted Client Hello. `rejected`: the client used a key of this server's, and it could not be opened
 * with it. `grease`: what the client sent meant nothing, or was for a key that this server never had or has no more,
 * which nobody can tell apart.
 */
export type EchOutcome = 'none' | 'accepted' | 'rejected' | 'grease';
