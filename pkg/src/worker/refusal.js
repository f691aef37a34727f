/** Why there is no GPU, as it follows "because" in a sentence. */
export class Refusal extends Error {}
