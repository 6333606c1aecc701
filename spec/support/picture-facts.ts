import type { Page } from 'playwright-core';

/** What can be told of a picture without looking at it. */
export interface PictureFacts {
  readonly width: number;
  readonly height: number;
  /** How many colours there are, to 5 bits a channel. */
  readonly colors: number;
  /** The share of the most frequent colour, from 0 to 1. */
  readonly background: number;
  /** The mean brightness, from 0 to 1. */
  readonly brightness: number;
}

/** Reads a PNG in a page: the browser that has drawn it can decode it, too. */
export async function pictureFacts(page: Page, png: Buffer): Promise<PictureFacts> {
  return (await page.evaluate(`(async () => {
    const bytes = Uint8Array.from(atob('${png.toString('base64')}'), (each) => each.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const { width, height } = image;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const counts = new Map();
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) {
      const color = ((data[at] >> 3) << 10) | ((data[at + 1] >> 3) << 5) | (data[at + 2] >> 3);
      counts.set(color, (counts.get(color) ?? 0) + 1);
      sum += data[at] + data[at + 1] + data[at + 2];
    }
    const pixels = width * height;
    return {
      width,
      height,
      colors: counts.size,
      background: Math.max(...counts.values()) / pixels,
      brightness: sum / pixels / 3 / 255,
    };
  })()`)) as PictureFacts;
}
