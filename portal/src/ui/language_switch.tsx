import { useLanguage, type Language } from "../i18n/language";
import { Segmented, type Segment } from "./segmented";

const languages: readonly Segment<Language>[] = [
  { value: "es", label: "ES" },
  { value: "en", label: "EN" },
];

export function LanguageSwitch() {
  const { language, setLanguage, text } = useLanguage();
  return (
    <Segmented label={text.language} segments={languages} value={language} onChange={setLanguage} />
  );
}
