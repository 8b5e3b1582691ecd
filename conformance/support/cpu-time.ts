/**
 * Milliseconds of work that this process does for something. Unlike the time that passes, they are not more where other programs
 * keep the machine busy.
 */
export function cpuTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
