/** Of the kernels: another where their speed or their results have changed, so that nothing found of those before counts. */
export const KERNELS = 2;
