declare module 'virtual:example-modules' {
  export const modules: Readonly<Record<string, () => Promise<unknown>>>;
}
