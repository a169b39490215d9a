import type { Schemas } from "../../api/client";
import { useLanguage, type Language } from "../../i18n/language";
import { SelectField } from "../../ui/select_field";
import { TextField } from "../../ui/text_field";

type Bodies = Required<Schemas["NewCustomer"]> & Required<Schemas["CustomerChange"]>;
/** The names of the contract whose values are texts: what can be typed or chosen. */
type FieldName = {
  [Name in keyof Bodies]: Bodies[Name] extends string ? Name : never;
}[keyof Bodies];

interface Words {
  label: string;
  hint?: string;
  /** Where it has a pattern: what to write instead. */
  wrong?: string;
}

interface CustomerField {
  name: FieldName;
  /** Whether it stays as who created the customer said. */
  isFixed?: true;
  /** What stands there before anybody typed; the reader's language is the best guess. */
  initial: (reader: Language) => string;
  words: Record<Language, Words>;
  /** One of these, each in its own words; without them a text is typed. */
  options?: readonly { id: string; name: string }[];
  /** For what is typed. */
  input?: { pattern?: string; maxLength: number; isCode?: true; mayBeEmpty?: true };
}

/** What is asked of a customer, in this order. Forms, what they send and their words come of it. */
const customerFields: readonly CustomerField[] = [
  {
    name: "name",
    initial: () => "",
    input: { pattern: ".*\\S.*", maxLength: 200 },
    words: {
      en: { label: "Name", hint: "As people know it, e.g. Empresa XYZ" },
      es: { label: "Nombre", hint: "Como lo conoce la gente, por ejemplo Empresa XYZ" },
    },
  },
  {
    name: "id",
    isFixed: true,
    initial: () => "",
    input: { pattern: "[a-z0-9](-?[a-z0-9]){0,62}", maxLength: 63, isCode: true },
    words: {
      en: {
        label: "Id",
        hint: "Lower-case letters, digits and hyphens, e.g. customer-c. It cannot be changed later.",
        wrong:
          "Use 1 to 63 lower-case letters, digits and single hyphens; begin and end without a hyphen.",
      },
      es: {
        label: "Identificador",
        hint: "Minúsculas, cifras y guiones, por ejemplo cliente-c. Después no se puede cambiar.",
        wrong:
          "Use de 1 a 63 minúsculas, cifras y guiones simples; sin guion al comienzo ni al final.",
      },
    },
  },
  {
    // Of what its people are sent; pages are in each reader's own.
    name: "language",
    initial: (reader) => reader,
    options: [
      { id: "es", name: "Español" },
      { id: "en", name: "English" },
    ],
    words: {
      en: { label: "Language of its e-mails and messages" },
      es: { label: "Idioma de sus correos y mensajes" },
    },
  },
  {
    name: "reference",
    initial: () => "",
    input: { maxLength: 60, mayBeEmpty: true },
    words: {
      en: {
        label: "Reference",
        hint: "What it is called elsewhere, e.g. its number in your accounting. Optional.",
      },
      es: {
        label: "Referencia",
        hint: "Cómo se llama en otro sitio, por ejemplo su número en la contabilidad. Opcional.",
      },
    },
  },
];

/** What the forms call a field; undefined for one that they do not ask for. */
export function customerFieldLabel(name: string, language: Language): string | undefined {
  return customerFields.find((field) => field.name === name)?.words[language].label;
}

/** What the fields of a form hold just now. */
export type CustomerDraft = Partial<Record<FieldName, string>>;

/** Of a new customer all fields are asked, of one that is there those that may change. */
function asked(isNew: boolean) {
  return customerFields.filter(({ isFixed }) => isNew || isFixed !== true);
}

export function newDraft(reader: Language): CustomerDraft {
  return Object.fromEntries(asked(true).map(({ name, initial }) => [name, initial(reader)]));
}

export function draftOf(customer: Schemas["Customer"]): CustomerDraft {
  return Object.fromEntries(asked(false).map(({ name }) => [name, customer[name]]));
}

function trimmed(draft: CustomerDraft) {
  return Object.fromEntries(Object.entries(draft).map(([name, value]) => [name, value.trim()]));
}

// Each name is one of the contract's, and each value is of its type: the list above is typed so, and a choice has its
// options alone.
export function newCustomerOf(draft: CustomerDraft): Schemas["NewCustomer"] {
  return trimmed(draft) as unknown as Schemas["NewCustomer"];
}

export function changeOf(draft: CustomerDraft): Schemas["CustomerChange"] {
  return trimmed(draft);
}

function OneField({
  field,
  value,
  error,
  onChange,
}: {
  field: CustomerField;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}) {
  const { language } = useLanguage();
  const { label, hint, wrong } = field.words[language];
  if (field.options !== undefined) {
    return <SelectField label={label} options={field.options} value={value} onChange={onChange} />;
  }
  const { isCode, mayBeEmpty, ...bounds } = field.input ?? {};
  return (
    <TextField
      label={label}
      {...(hint !== undefined && { hint })}
      wrong={wrong}
      error={error}
      required={mayBeEmpty !== true}
      autoComplete="off"
      {...(isCode && { autoCapitalize: "none", spellCheck: false })}
      {...bounds}
      value={value}
      onChange={(event) => {
        onChange(event.target.value);
      }}
    />
  );
}

export function CustomerFields({
  isNew,
  draft,
  errors = {},
  onChange,
}: {
  isNew: boolean;
  draft: CustomerDraft;
  /** What the server finds wrong, by field. */
  errors?: CustomerDraft;
  onChange: (draft: CustomerDraft) => void;
}) {
  return asked(isNew).map((field) => (
    <OneField
      key={field.name}
      field={field}
      value={draft[field.name] ?? ""}
      error={errors[field.name]}
      onChange={(value) => {
        onChange({ ...draft, [field.name]: value });
      }}
    />
  ));
}
