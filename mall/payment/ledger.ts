import { LRUCache } from 'lru-cache';

/** What became of a charge. */
export type ChargeStatus = 'processing' | 'succeeded' | 'declined' | 'cancelled';

/** One charge, by the key of whoever asked for it. */
export interface Charge {
  readonly key: string;
  readonly amountCents: number;
  status: ChargeStatus;
}

/** What the gateway remembers. */
export interface ChargeLedger {
  find(key: string): Charge | undefined;
  /** Begins a charge; one that is there already is given as it is. */
  begin(key: string, amountCents: number): { readonly charge: Charge; readonly isNew: boolean };
  /** Ends a charge that is under way; what has ended stays as it is. */
  end(charge: Charge, status: 'succeeded' | 'declined'): void;
  /** Begins nothing for this key any more, and ends a charge under way. What has ended stays as it is. */
  cancel(key: string): Charge;
  /** Forgets a charge that was not made. */
  forget(charge: Charge): void;
}

/** The last charges, in memory: a stand-in for a gateway, whose books end with its process. */
export function createChargeLedger(most = 200_000): ChargeLedger {
  const charges = new LRUCache<string, Charge>({ max: most });
  const begin = (key: string, amountCents: number) => {
    const known = charges.get(key);
    if (known !== undefined) return { charge: known, isNew: false };
    const charge: Charge = { key, amountCents, status: 'processing' };
    charges.set(key, charge);
    return { charge, isNew: true };
  };
  return {
    find: key => charges.get(key),
    begin,
    end(charge, status) {
      if (charge.status === 'processing') charge.status = status;
    },
    cancel(key) {
      const { charge } = begin(key, 0);
      if (charge.status === 'processing') charge.status = 'cancelled';
      return charge;
    },
    forget(charge) {
      if (charge.status === 'processing') charges.delete(charge.key);
    },
  };
}
