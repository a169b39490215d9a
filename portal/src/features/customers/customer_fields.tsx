import { useLanguage, type Language } from "../../i18n/language";
import { SelectField } from "../../ui/select_field";
import { TextField } from "../../ui/text_field";

/** Each in its own words, so that whoever reads it alone finds it. */
const languages = [
  { id: "es", name: "Español" },
  { id: "en", name: "English" },
] as const;

export function NameField({
  value,
  onChange,
}: {
  value: string;
  onChange: (name: string) => void;
}) {
  const { text } = useLanguage();
  return (
    <TextField
      label={text.customers.name}
      hint={text.customers.nameHint}
      required
      pattern=".*\S.*"
      maxLength={200}
      autoComplete="off"
      value={value}
      onChange={(event) => {
        onChange(event.target.value);
      }}
    />
  );
}

/** In which language a customer's people are written to; pages are in each reader's own. */
export function MessageLanguageField({
  value,
  onChange,
}: {
  value: Language;
  onChange: (language: Language) => void;
}) {
  const { text } = useLanguage();
  return (
    <SelectField
      label={text.customers.language}
      options={languages}
      value={value}
      onChange={(chosen) => {
        onChange(chosen === "en" ? "en" : "es");
      }}
    />
  );
}
