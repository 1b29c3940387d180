/** What tools/bundle-template.mjs makes of packages/hello. */
export declare const template: {
  /** Ranges of what packages depend on, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** By variant: texts by path, with the names of hello. */
  readonly variants: Readonly<Record<'op' | 'layer' | 'optimizer' | 'kernel', Readonly<Record<string, string>>>>;
};
