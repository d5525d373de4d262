import type { Connection, Model, Schema } from 'mongoose';

/** The model of a collection on one connection, made once. Documents are plain objects that contracts' schemas have checked. */
export function modelOf<T>(connection: Connection, schema: Schema<T>, collection: string): Model<T> {
  // Mongoose keeps models by name and forgets the type of their documents; the schema belongs to the name.
  return (connection.models[collection] as Model<T> | undefined) ?? connection.model<T>(collection, schema, collection);
}
