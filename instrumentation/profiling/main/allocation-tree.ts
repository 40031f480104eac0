import type { AllocationNode } from '../contract';

/** Bytes of all allocations of a tree. */
export function bytesOf({ allocations, children }: AllocationNode): number {
  let bytes = 0;
  for (const { sizeBytes, count } of allocations) bytes += sizeBytes * count;
  for (const child of children) bytes += bytesOf(child);
  return bytes;
}

/** Adds up two trees, whose roots stand for the same. */
export function mergeAllocations(a: AllocationNode, b: AllocationNode): AllocationNode {
  const counts = new Map<number, number>();
  for (const { sizeBytes, count } of [...a.allocations, ...b.allocations]) {
    counts.set(sizeBytes, (counts.get(sizeBytes) ?? 0) + count);
  }
  const children = new Map<string, AllocationNode>();
  for (const child of [...a.children, ...b.children]) {
    const { name, scriptName, lineNumber, columnNumber } = child;
    const key = [name, scriptName, lineNumber, columnNumber].join('\0');
    const known = children.get(key);
    children.set(key, known === undefined ? child : mergeAllocations(known, child));
  }
  return {
    ...a,
    allocations: [...counts].map(([sizeBytes, count]) => ({ sizeBytes, count })),
    children: [...children.values()],
  };
}
