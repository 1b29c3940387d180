// The parts of pictures that the page shows: none of them is among those that the networks learned from.
import coffee from '../../../recipes/region-norm/pictures/coffee.ppm?url';
import brick from './pictures/brick.ppm?url';
import gravel from './pictures/gravel.ppm?url';
import plain from './weights/plain.safetensors?url';
import region from './weights/region.safetensors?url';
import { crop, readPpm, type Picture } from './ppm.ts';

/** As the networks have it; repeated here, since that module brings tfjs. */
const SIDE = 64;

const places = {
  'a cup of coffee': { url: coffee, left: 40, top: 20 },
  bricks: { url: brick, left: 64, top: 32 },
  gravel: { url: gravel, left: 64, top: 32 },
} as const;

export type PictureName = keyof typeof places;
export const PICTURES = Object.keys(places) as PictureName[];

const absolute = (url: string): string => new URL(url, location.href).href;

export const weightUrls = (): { plain: string; region: string } => ({ plain: absolute(plain), region: absolute(region) });

export async function readPicture(name: PictureName): Promise<Picture> {
  const { url, left, top } = places[name];
  const response = await fetch(absolute(url));
  return crop(readPpm(new Uint8Array(await response.arrayBuffer())), left, top, SIDE, SIDE);
}
