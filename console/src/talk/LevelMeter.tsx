import { useEffect, useRef } from "react";
import type { LucideIcon } from "lucide-react";

/** From this many decibels below full scale, a meter shows something. */
const FLOOR_DB = 60;

/** 0 to 1, as the ear finds it. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / Math.max(samples.length, 1) + 1e-12);
  return Math.min(1, Math.max(0, 1 + decibels / FLOOR_DB));
}

/** How loud a stream is, several times a second, without React being asked. */
export function LevelMeter({ stream, label, icon: Icon }: { stream: MediaStream; label: string; icon: LucideIcon }) {
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    const samples = new Float32Array(analyser.fftSize);
    let source: MediaStreamAudioSourceNode | null = null;
    let frame = 0;
    function show() {
      if (!source && stream.getAudioTracks().length > 0) {
        source = context.createMediaStreamSource(stream);
        source.connect(analyser);
      }
      analyser.getFloatTimeDomainData(samples);
      if (bar.current) bar.current.style.transform = `scaleX(${loudness(samples).toFixed(3)})`;
      frame = requestAnimationFrame(show);
    }
    show();
    return () => {
      cancelAnimationFrame(frame);
      source?.disconnect();
      void context.close();
    };
  }, [stream]);
  return (
    <span className="flex items-center gap-2" title={label}>
      <Icon aria-hidden className="size-4 shrink-0 text-ink-soft" />
      <span className="sr-only">{label}</span>
      <span aria-hidden className="h-2 flex-1 overflow-hidden rounded-full bg-sunken">
        <span ref={bar} className="block h-full origin-left scale-x-0 rounded-full bg-brand transition-transform duration-75" />
      </span>
    </span>
  );
}
