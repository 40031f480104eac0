const types = new Set(
  [
    ...[
      'json',
      'javascript',
      'ecmascript',
      'xml',
      'graphql',
      'jsonl',
      'x-ndjson',
      'x-javascript',
      'yaml',
      'x-yaml',
    ],
    ...[
      'toml',
      'sql',
      'rtf',
      'wasm',
      'postscript',
      'protobuf',
      'x-protobuf',
      'vnd.google.protobuf',
      'msgpack',
    ],
    ...['x-www-form-urlencoded', 'vnd.ms-fontobject', 'x-sh', 'x-font-ttf', 'x-font-opentype'],
  ]
    .map(subtype => `application/${subtype}`)
    .concat(
      'font/ttf',
      'font/otf',
      'font/collection',
      'font/sfnt',
      'image/bmp',
      'image/x-ms-bmp',
      'image/x-icon',
    )
    .concat('image/vnd.microsoft.icon', 'model/gltf-binary', 'model/obj', 'model/stl'),
);
const suffix = /\+(json|xml|text|yaml)$/;

/**
 * Whether content of this type gets smaller by compression: text in whatever dress, and formats that are not compressed
 * in themselves. Images, video, audio, archives and web fonts are; a type that is not known is left alone.
 */
export function isCompressible(contentType: string): boolean {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
  return type.startsWith('text/') || types.has(type) || suffix.test(type);
}
