// Nothing here is about ocelli.
export default {};
