// The form of a support table: for every field of a kind's spec, whether translation honours it. The types come from the schema, so a
// field that a new version of the schema brings does not compile until somebody decides what it means.

/**
 * `true`: honoured, with everything below it. A text: not translated when set, and this is what happens instead. A function: judges
 * the value and gives such a text, or undefined when it is honoured. A map: the same for each field of the map, or of each entry of
 * the list.
 */
export type Honoured<T> = true | string | Judge | HonouredFields<T>;

export type Judge = (value: unknown) => string | undefined;

export type HonouredFields<T> =
  Element<NonNullable<T>> extends infer Fields
    ? Fields extends object
      ? { readonly [Name in keyof Required<Fields>]: Honoured<Required<Fields>[Name]> }
      : never
    : never;

type Element<T> = T extends readonly (infer Entry)[] ? Entry : T;

/** The table as the walk reads it, whatever the kind. */
export type AnyHonoured = true | string | Judge | { readonly [field: string]: AnyHonoured };
