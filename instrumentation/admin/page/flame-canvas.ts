import type { Flame } from '../../profiling/pprof/flame';
import type { Box } from './flame-layout';

const rowHeight = 18;
/** Narrower calls are not drawn; zooming shows them. */
const leastPixels = 0.7;
/** Narrower calls have no name on them. */
const leastTextPixels = 28;

export interface FlameCanvas {
  /** Draws `zoomed` over the full width, with its callers above it. */
  draw(state: DrawState): void;
  /** The call at a place of the canvas. */
  at(x: number, y: number): Box | undefined;
  /** Pixels from the top of the canvas to a call's row. */
  rowOf(box: Box): number;
}

export interface DrawState {
  readonly zoomed: Box;
  readonly focused: Box | undefined;
  readonly matches: ((frame: number) => boolean) | undefined;
}

/** Draws calls as boxes, callers above what they called. */
export function createFlameCanvas(canvas: HTMLCanvasElement, { frames }: Flame): FlameCanvas {
  let drawn: { readonly box: Box; readonly x: number; readonly width: number }[] = [];

  return {
    draw({ zoomed, focused, matches }) {
      const style = getComputedStyle(document.documentElement);
      const colours = {
        text: style.getPropertyValue('--on-flame').trim(),
        focus: style.getPropertyValue('--text').trim(),
        match: style.getPropertyValue('--match').trim(),
        lightness: style.getPropertyValue('--flame-lightness').trim(),
      };
      const width = canvas.parentElement!.clientWidth;
      drawn = place(zoomed, width);
      const rows = 1 + drawn.reduce((most, { box }) => Math.max(most, box.depth), 0);
      const scale = devicePixelRatio;
      canvas.style.height = `${rows * rowHeight}px`;
      canvas.style.width = `${width}px`;
      canvas.width = width * scale;
      canvas.height = rows * rowHeight * scale;
      const context = canvas.getContext('2d')!;
      context.scale(scale, scale);
      context.font = '12px system-ui, sans-serif';
      context.textBaseline = 'middle';
      for (const { box, x, width: wide } of drawn) {
        const [index] = box.node;
        const y = box.depth * rowHeight;
        const matched = matches !== undefined && index >= 0 && matches(index);
        context.globalAlpha = matches === undefined || matched || index < 0 ? 1 : 0.35;
        context.fillStyle = matched ? colours.match : colourOf(frames[index]?.file, colours.lightness);
        context.fillRect(x, y, Math.max(wide - 0.5, leastPixels), rowHeight - 1);
        if (wide >= leastTextPixels) {
          context.fillStyle = colours.text;
          context.save();
          context.beginPath();
          context.rect(x, y, wide - 2, rowHeight);
          context.clip();
          context.fillText(index < 0 ? 'all' : frames[index]!.name, x + 3, y + rowHeight / 2);
          context.restore();
        }
        if (box === focused) {
          context.globalAlpha = 1;
          context.strokeStyle = colours.focus;
          context.lineWidth = 2;
          context.strokeRect(x + 1, y + 1, Math.max(wide - 2, 1), rowHeight - 3);
        }
      }
      context.globalAlpha = 1;
    },
    at(x, y) {
      const depth = Math.floor(y / rowHeight);
      return drawn.find(each => each.box.depth === depth && x >= each.x && x < each.x + each.width)?.box;
    },
    rowOf: box => box.depth * rowHeight,
  };
}

function place(zoomed: Box, width: number) {
  const placed: { box: Box; x: number; width: number }[] = [];
  for (let box = zoomed.parent; box !== undefined; box = box.parent) placed.push({ box, x: 0, width });
  const walk = (box: Box): void => {
    const wide = (box.width / zoomed.width) * width;
    if (wide < leastPixels) return;
    placed.push({ box, x: ((box.x - zoomed.x) / zoomed.width) * width, width: wide });
    for (const child of box.children) walk(child);
  };
  walk(zoomed);
  return placed;
}

/** The application's code, its packages, Node.js and V8 each have a hue; files differ a little within it. */
function colourOf(file: string | undefined, lightness: string): string {
  if (file === undefined || file === '') return `hsl(220 8% ${lightness})`;
  const hue = file.startsWith('node:') ? 205 : file.includes('node_modules') ? 265 : 28;
  let hash = 0;
  for (let i = 0; i < file.length; i++) hash = (hash * 31 + file.charCodeAt(i)) | 0;
  return `hsl(${hue + (Math.abs(hash) % 28) - 14} 62% ${lightness})`;
}
