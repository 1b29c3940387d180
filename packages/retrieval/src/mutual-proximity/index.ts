export { mutualProximity, type MutualProximityOptions } from './mutual-proximity.ts';
