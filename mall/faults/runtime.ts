import { every, type StartFault } from './fault';

/** By this name it is found in profiles and findings. */
function blockEventLoop(ms: number): number {
  let sum = 0;
  for (const end = performance.now() + ms; performance.now() < end; ) sum += Math.sqrt(sum + 1);
  return sum;
}

/** By this name it is found in profiles and findings: a loop of its own, so that no other function has the time. */
function burnCpu(ms: number): number {
  let sum = 0;
  for (const end = performance.now() + ms; performance.now() < end; ) sum += Math.log(sum + 2);
  return sum;
}

export const eventLoopBlock: StartFault = (_, { blockMs, everyMs }) =>
  every(everyMs!, () => void blockEventLoop(blockMs!));

export const cpuBurn: StartFault = (_, { sliceMs, pauseMs }) => {
  let timer: NodeJS.Timeout;
  const slice = (): void => {
    burnCpu(sliceMs!);
    timer = setTimeout(slice, pauseMs!);
  };
  timer = setTimeout(slice, pauseMs!);
  return () => clearTimeout(timer);
};
