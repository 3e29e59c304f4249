// Small drawings for buttons, in the colour of the text. Words stand beside them or in the button's label.
import type {ComponentChildren} from 'preact';

const icon = (children: ComponentChildren) => () => (
  <svg
    class="icon"
    viewBox="0 0 24 24"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    stroke-width="1.75"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    {children}
  </svg>
);

export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const ChatIcon = icon(<path d="M20 12a7.5 7.5 0 0 1-11 6.6L4 20l1.4-4.6A7.5 7.5 0 1 1 20 12z" />);
export const CompareIcon = icon(
  <>
    <rect x="3.5" y="5" width="7" height="14" rx="1.5" />
    <rect x="13.5" y="5" width="7" height="14" rx="1.5" />
  </>,
);
export const RunsIcon = icon(<path d="M4 4v16h16M7.5 8c2 6 5 8 12 8" />);
export const MenuIcon = icon(<path d="M4 7h16M4 12h16M4 17h16" />);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const SendIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const StopIcon = icon(<rect x="7" y="7" width="10" height="10" rx="1.5" fill="currentColor" />);
export const CopyIcon = icon(
  <>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M5 15V6a2 2 0 0 1 2-2h8" />
  </>,
);
export const CheckIcon = icon(<path d="M5 12.5l4.5 4.5L19 7.5" />);
export const AgainIcon = icon(<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4h-4" />);
export const EditIcon = icon(<path d="M4 20l1-4L16.5 4.5l3 3L8 19z" />);
export const TokensIcon = icon(<path d="M4 7h6M13 7h7M4 12h3M10 12h10M4 17h9M16 17h4" />);
export const LeftIcon = icon(<path d="M14.5 6l-6 6 6 6" />);
export const RightIcon = icon(<path d="M9.5 6l6 6-6 6" />);
export const DownIcon = icon(<path d="M12 5v14M6 13l6 6 6-6" />);
export const SlidersIcon = icon(<path d="M4 8h9M17 8h3M4 16h3M11 16h9M15 6v4M9 14v4" />);
export const GearIcon = icon(
  <>
    <circle cx="12" cy="12" r="3" />
    <path d="M12 3.5v2.5M12 18v2.5M3.5 12H6M18 12h2.5M6 6l1.8 1.8M16.2 16.2L18 18M18 6l-1.8 1.8M7.8 16.2L6 18" />
  </>,
);
export const BinIcon = icon(<path d="M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13" />);
export const SearchIcon = icon(
  <>
    <circle cx="11" cy="11" r="6" />
    <path d="M15.5 15.5L20 20" />
  </>,
);

// The seed, as in the icon of the tab.
export const Seed = () => (
  <svg class="seed" viewBox="0 0 32 32" aria-hidden="true">
    <path class="hull" d="M16 3c7 5.5 10 10.5 10 16a10 10 0 0 1-20 0C6 13.5 9 8.5 16 3z" />
    <path
      class="sprout"
      d="M16 28V15m0 5c-3 0-4.6-1.8-4.6-4.6M16 17.5c2.7 0 4.2-1.6 4.2-4.2"
      fill="none"
      stroke-width="1.8"
      stroke-linecap="round"
    />
  </svg>
);
