import AjvCompiler from '@fastify/ajv-compiler';
import {
  type SerializerCompiler,
  type SerializerFactory,
  SerializerSelector,
} from '@fastify/fast-json-stringify-compiler';

type ValidatorFactory = ReturnType<typeof AjvCompiler>;
type Validator = ReturnType<ReturnType<ValidatorFactory>>;

/**
 * fastify's own compilers of schemas, each schema compiled when it is first used. fastify compiles all at once at the
 * start, and the process does nothing else for as long as several requests take.
 */
export const lazyCompilers = {
  buildValidator: ((...given) => {
    const compile = AjvCompiler()(...given);
    return route => {
      let validate: Validator | undefined;
      // What is wrong with the data, as fastify reads it of a validator.
      const lazy = Object.assign(
        (data: unknown) => {
          validate ??= compile(route);
          const valid = validate(data);
          lazy.errors = validate.errors;
          return valid;
        },
        { errors: undefined as Validator['errors'] },
      );
      return lazy as Validator;
    };
  }) satisfies ValidatorFactory as ValidatorFactory,

  buildSerializer: ((...given) => {
    const compile = SerializerSelector()(...given);
    return route => {
      let serialize: ReturnType<SerializerCompiler> | undefined;
      return answer => {
        serialize ??= compile(route);
        return serialize(answer);
      };
    };
  }) satisfies SerializerFactory as SerializerFactory,
};
