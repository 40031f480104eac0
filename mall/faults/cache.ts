import { every, ignore, type StartFault, times } from './fault';

/** The product that everybody looks at. */
const hot = 1;
/** Products have smaller ids. */
const firstUnknown = 1_000_000_000;
const unknownIds = 1_000_000_000;
/** Products that are looked at; the catalogue has more. */
const known = 2000;

export const cacheStampede: StartFault = ({ shop }, { callers, everyMs }) =>
  every(everyMs!, () => {
    void shop.caches.products
      .delete(String(hot))
      .then(() => Promise.allSettled(Array.from({ length: callers! }, () => shop.product(hot))))
      .catch(ignore);
  });

export const cachePenetration: StartFault = ({ shop }, { perSecond }) => {
  // Others than last time, whose absence may still be remembered.
  let id = Math.floor(Math.random() * unknownIds);
  return times(perSecond!, () => {
    id = (id + 1) % unknownIds;
    void shop.product(firstUnknown + id).catch(ignore);
  });
};

export const cacheAvalanche: StartFault = ({ shop }, { everyMs, perSecond }) => {
  const stopClearing = every(everyMs!, () => {
    void shop.caches.products.invalidatePrefix('').catch(ignore);
  });
  const stopLooking = times(perSecond!, () => {
    void shop.product(1 + Math.floor(Math.random() * known)).catch(ignore);
  });
  return () => {
    stopClearing();
    stopLooking();
  };
};

export const redisDown: StartFault = ({ redis }) => {
  redis?.cut();
  return () => redis?.mend();
};
