/** Files of weights, cut as `save_pretrained` does it. */

/** A safetensors file as several, each with every so many-th tensor. */
export function shards(file, count) {
  const begin = 8 + Number(file.readBigUInt64LE());
  const tensors = JSON.parse(file.subarray(8, begin).toString());
  delete tensors.__metadata__;
  return Array.from({ length: count }, (_, part) => {
    const header = {};
    const data = [];
    let at = 0;
    for (const [name, tensor] of Object.entries(tensors).filter((_, i) => i % count === part)) {
      const [from, to] = tensor.data_offsets;
      data.push(file.subarray(begin + from, begin + to));
      header[name] = { ...tensor, data_offsets: [at, at + to - from] };
      at += to - from;
    }
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, json, ...data]);
  });
}
