// The process's variables as a record.

export type Environment = Readonly<Record<string, string | undefined>>;
