import { close, open } from 'node:fs';
import { devNull } from 'node:os';
import { ignore, type StartFault, times } from './fault';

export const fileDescriptorLeak: StartFault = (_, { perSecond, most }) => {
  const files: number[] = [];
  let asked = 0;
  let healed = false;
  const openAndForget = (): void => {
    asked++;
    open(devNull, 'r', (error, file) => {
      if (error !== null) return;
      if (healed) close(file, ignore);
      else files.push(file);
    });
  };
  const stop = times(perSecond!, () => {
    if (asked < most!) openAndForget();
  });
  return () => {
    healed = true;
    stop();
    for (const file of files) close(file, ignore);
  };
};
