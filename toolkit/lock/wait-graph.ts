import type { LockCore } from './core';
import type { LockOwner } from './handle';
import type { Waiter } from './waiters';

/** A call of a session that waits: edges of the wait-for graph, whose ends the lock knows. */
export interface Wait {
  readonly core: LockCore;
  readonly waiter: Waiter;
}

/** Something that holds locks and waits for others: a node of the wait-for graph. */
export interface WaitNode extends LockOwner {
  readonly waits: ReadonlySet<Wait>;
}

/** A wait on the way, and whether those it waits for were looked at. */
interface Step {
  readonly wait: Wait;
  entered: boolean;
}

/**
 * The circle that a wait closes, as the names of the locks around it, or undefined. The edges are read from the locks
 * as they are now. A circle can only come about when a call begins to wait, so looking then finds each.
 *
 * @param start the node that begins to wait; the wait is among its `waits`
 */
export function circleThrough(start: WaitNode, wait: Wait): string[] | undefined {
  // Nobody can wait for one who holds nothing and is last in the only queue it stands in.
  if (start.held === 0 && start.waits.size <= 1) return undefined;
  const seen = new Set<WaitNode>();
  // A walk in depth, not by recursion: thousands may wait one behind the other.
  const stack: Step[] = [{ wait, entered: false }];
  const way: string[] = [];
  while (stack.length > 0) {
    const step = stack[stack.length - 1]!;
    if (step.entered) {
      stack.pop();
      way.pop();
      continue;
    }
    step.entered = true;
    way.push(step.wait.core.name);
    for (const owner of step.wait.core.blockersOf(step.wait.waiter)) {
      if (owner === start) return way;
      const node = owner as WaitNode | undefined;
      if (node === undefined || seen.has(node)) continue;
      seen.add(node);
      for (const next of node.waits) stack.push({ wait: next, entered: false });
    }
  }
  return undefined;
}
