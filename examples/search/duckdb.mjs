// Searches the vectors of an index with DuckDB: `node duckdb.mjs photos.parquet "a dog on a beach"`, after
// `npm install ocelli @duckdb/node-api` and `npx ocelli index photos --out photos.ocelli --export photos.parquet`.
//
// For millions of pictures: DuckDB reads what the query needs of files that do not fit into memory.

import { DuckDBInstance } from '@duckdb/node-api';
import { Embedder } from 'ocelli';

const [file = 'photos.parquet', text = 'a cat'] = process.argv.slice(2);

const embedder = await Embedder.load('ocelli');
const [query = new Float32Array()] = await embedder.embedTexts([text]);
embedder.dispose();

const connection = await (await DuckDBInstance.create()).connect();
const width = query.length;
const found = await connection.runAndReadAll(`
  SELECT id, array_cosine_similarity(embedding::FLOAT[${width}], [${query.join(', ')}]::FLOAT[${width}]) AS score
  FROM read_parquet('${file.replaceAll("'", "''")}')
  ORDER BY score DESC
  LIMIT 10`);
for (const { id, score } of found.getRowObjects()) console.log(`${id}: ${Number(score).toFixed(3)}`);
connection.closeSync();
