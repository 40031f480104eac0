/** An answer other than the one asked for, which the client can act on. */
export class ShopError extends Error {
  override readonly name = 'ShopError';

  /**
   * @param statusCode the HTTP status
   * @param code stable, for programs
   * @param message for people: what was expected and what came
   * @param details the values that matter
   */
  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }
}

/** 404: there is no `what` of this id. */
export function notFound(what: string, id: string | number): ShopError {
  return new ShopError(404, `${what}_not_found`, `There is no ${what} ${id}`);
}
