/**
 * A class that can also be called like the constructor functions of Node: `Server(options)` makes one, and
 * `Server.call(made, options)` prepares an object that somebody else made, as `node:https` does with its own servers.
 */
export function callable<Class extends new (...args: never[]) => object>(
  wrapped: Class,
  parts: {
    /** Whether `this` is an object to prepare. */
    readonly isMade: (self: unknown) => boolean;
    readonly prepare: (self: InstanceType<Class>, ...args: ConstructorParameters<Class>) => void;
  },
): Class & ((...args: ConstructorParameters<Class>) => InstanceType<Class>) {
  const proxy = new Proxy(wrapped, {
    apply: (_target, self, args) => {
      if (!parts.isMade(self)) return Reflect.construct(wrapped, args, proxy);
      parts.prepare(self as InstanceType<Class>, ...(args as ConstructorParameters<Class>));
      return undefined;
    },
  });
  Object.defineProperty(wrapped.prototype, 'constructor', {
    value: proxy,
    configurable: true,
    writable: true,
  });
  return proxy as never;
}
