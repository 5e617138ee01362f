// Stub.

/** The lane. */
export function follow() {}

/** The lesson. */
export const lesson = {};
