import type { Schemas } from "../../api/client";
import type { Formatter } from "../../i18n/formatter";
import { useLanguage, type Language } from "../../i18n/language";
import { TextField } from "../../ui/text_field";
import styles from "./customers.module.css";

type Limits = Schemas["Limits"];
type LimitName = keyof Limits;

/** What may be typed, as the contract's server takes it. */
const most = 1_000_000_000_000;

const limitWords: Record<LimitName, Record<Language, string>> = {
  points_per_second: { en: "Points per second", es: "Puntos por segundo" },
  spans_per_second: { en: "Spans per second", es: "Spans por segundo" },
  log_records_per_second: {
    en: "Log records per second",
    es: "Registros de log por segundo",
  },
  bytes_per_second: { en: "Bytes per second", es: "Bytes por segundo" },
  active_series: { en: "Active series", es: "Series activas" },
  label_value_bytes: { en: "Bytes of a label value", es: "Bytes del valor de una etiqueta" },
  labels_per_series: { en: "Labels per series", es: "Etiquetas por serie" },
  query_range_seconds: {
    en: "Time that a query touches, in seconds",
    es: "Tiempo que abarca una consulta, en segundos",
  },
  query_steps: { en: "Steps of a query", es: "Pasos de una consulta" },
  query_series: { en: "Series of a query", es: "Series de una consulta" },
  query_samples: { en: "Samples that a query holds", es: "Muestras que ocupa una consulta" },
  query_bytes: { en: "Bytes of an answer", es: "Bytes de una respuesta" },
  query_seconds: {
    en: "Time that a query takes, in seconds",
    es: "Duración de una consulta, en segundos",
  },
  log_query_lines: {
    en: "Lines that a log query looks at",
    es: "Líneas que lee una consulta de logs",
  },
  log_query_bytes: {
    en: "Bytes that a log query looks at",
    es: "Bytes que lee una consulta de logs",
  },
  log_query_cpu_seconds: {
    en: "Processor time of a log query, in seconds",
    es: "Tiempo de procesador de una consulta de logs, en segundos",
  },
};

const limitNames = Object.keys(limitWords) as LimitName[];

/** Of one query, not of what is sent. */
function isOfQueries(name: LimitName) {
  return name.startsWith("query_") || name.startsWith("log_query_");
}

/** What was typed as people read it, where the digits alone say little: “30 days”, “20 MiB”, “5,000,000”. */
function readable(name: LimitName, typed: string, format: Formatter): string | undefined {
  const value = Number(typed);
  if (!Number.isSafeInteger(value) || value < 0) return undefined;
  if (name.endsWith("_seconds")) return value < 60 ? undefined : format.seconds(value);
  if (value < 1000) return undefined;
  return name.includes("bytes") ? format.bytes(value) : format.whole(value);
}

/** What the fields hold just now, as it was typed. */
export type LimitsDraft = Record<LimitName, string>;

export function limitsDraftOf(limits: Limits): LimitsDraft {
  return Object.fromEntries(
    limitNames.map((name) => [name, String(limits[name] ?? 0)]),
  ) as LimitsDraft;
}

/** Those that are not as they were; undefined where all are. */
export function changedLimits(draft: LimitsDraft, before: Limits): Limits | undefined {
  const changed = limitNames
    .map((name) => [name, Number(draft[name])] as const)
    .filter(([name, value]) => value !== (before[name] ?? 0));
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

function LimitGroup({
  title,
  hint,
  names,
  draft,
  onChange,
}: {
  title: string;
  hint: string;
  names: LimitName[];
  draft: LimitsDraft;
  onChange: (draft: LimitsDraft) => void;
}) {
  const { language, format } = useLanguage();
  return (
    <details className={styles.limits}>
      <summary>{title}</summary>
      <div className={styles.limitFields}>
        <p>{hint}</p>
        {names.map((name) => (
          <TextField
            key={name}
            label={limitWords[name][language]}
            hint={readable(name, draft[name], format)}
            type="number"
            inputMode="numeric"
            required
            min={0}
            max={most}
            step={1}
            autoComplete="off"
            value={draft[name]}
            onChange={(event) => {
              onChange({ ...draft, [name]: event.target.value });
            }}
          />
        ))}
      </div>
    </details>
  );
}

export function CustomerLimits(fields: {
  draft: LimitsDraft;
  onChange: (draft: LimitsDraft) => void;
}) {
  const { text } = useLanguage();
  const { sending, sendingHint, queries, queriesHint } = text.customers.limits;
  return (
    <>
      <LimitGroup
        title={sending}
        hint={sendingHint}
        names={limitNames.filter((name) => !isOfQueries(name))}
        {...fields}
      />
      <LimitGroup
        title={queries}
        hint={queriesHint}
        names={limitNames.filter(isOfQueries)}
        {...fields}
      />
    </>
  );
}
