import { Menu } from "@base-ui/react/menu";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useLogOut } from "../features/sessions/queries";
import type { Session } from "../api/types";
import { useLanguage } from "../i18n/language";
import { ChangePassword } from "../features/sessions/change_password";
import styles from "./shell.module.css";

export function AccountMenu({ session }: { session: Session }) {
  const { text } = useLanguage();
  const logOut = useLogOut();
  const [location, navigate] = useLocation();
  const [isOpen, setIsOpen] = useState(false);
  // Another page, however it was reached, is not read behind a menu.
  useEffect(() => {
    setIsOpen(false);
  }, [location]);
  const [isChanging, setIsChanging] = useState(false);
  const owner = session.customer_name ?? session.customer_id ?? text.navigation.operator;
  return (
    <>
      <Menu.Root modal={false} open={isOpen} onOpenChange={setIsOpen}>
        <Menu.Trigger
          className={styles.account}
          aria-label={`${text.navigation.account}: ${session.user}`}
        >
          <span
            className={styles.initial}
            data-initial={session.user.slice(0, 1).toUpperCase()}
            aria-hidden="true"
          />
          <span className={styles.accountName}>{session.user}</span>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner sideOffset={8} align="end" className={styles.positioner}>
            <Menu.Popup className={styles.menu}>
              <div className={styles.menuHead}>
                <strong>{session.user}</strong>
                <span>{owner}</span>
              </div>
              <Menu.Item
                className={styles.menuItem}
                onClick={() => {
                  navigate("/sessions");
                }}
              >
                {text.navigation.sessions}
              </Menu.Item>
              <Menu.Item
                className={styles.menuItem}
                onClick={() => {
                  setIsChanging(true);
                }}
              >
                {text.navigation.changePassword}
              </Menu.Item>
              <Menu.Item
                className={styles.menuItem}
                onClick={() => {
                  logOut.mutate();
                }}
              >
                {text.navigation.logOut}
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      {isChanging && (
        <ChangePassword
          onClose={() => {
            setIsChanging(false);
          }}
        />
      )}
    </>
  );
}
