import {
  type SerializerCompiler,
  type SerializerFactory,
  SerializerSelector,
} from '@fastify/fast-json-stringify-compiler';

/**
 * fastify's serialisers of answers, each made when it is first used: made all at once at the start, as fastify does,
 * they would keep the process from doing anything else for as long as several requests take.
 */
export const lazySerializers: SerializerFactory = (...given) => {
  const compile: SerializerCompiler = SerializerSelector()(...given);
  return route => {
    let serialize: ReturnType<SerializerCompiler> | undefined;
    return answer => {
      serialize ??= compile(route);
      return serialize(answer);
    };
  };
};
