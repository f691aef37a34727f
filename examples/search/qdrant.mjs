// Puts the vectors of an index into Qdrant, and searches them there: `node qdrant.mjs photos.ocelli "a dog on a beach"`, after
// `npm install ocelli @qdrant/js-client-rest`, with a server at localhost:6333.
//
// For millions of pictures, and for many people who search at once.

import { QdrantClient } from '@qdrant/js-client-rest';
import { Index, Embedder } from 'ocelli';

const [file = 'photos.ocelli', text = 'a cat'] = process.argv.slice(2);
const COLLECTION = 'photos';
const BATCH = 500;

const index = await Index.open(file);
const client = new QdrantClient({ url: 'http://localhost:6333' });
await client.createCollection(COLLECTION, { vectors: { size: index.width ?? 0, distance: 'Cosine' } });
const ids = await index.ids();
for (let at = 0; at < ids.length; at += BATCH) {
  const names = ids.slice(at, at + BATCH);
  const vectors = await index.vectors(names);
  const points = names.map((path, i) => ({ id: at + i, vector: [...(vectors[i] ?? [])], payload: { path } }));
  await client.upsert(COLLECTION, { points });
}
index.dispose();

const embedder = await Embedder.load('ocelli');
const [query = new Float32Array()] = await embedder.embedTexts([text]);
embedder.dispose();
const { points } = await client.query(COLLECTION, { query: [...query], limit: 10, with_payload: true });
for (const { payload, score } of points) console.log(`${payload?.path}: ${score.toFixed(3)}`);
