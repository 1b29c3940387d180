import DefaultTheme from 'vitepress/theme';
import type { Theme } from 'vitepress';
import LiveExample from '../../site/components/LiveExample.vue';
import MethodPicture from '../../site/components/MethodPicture.vue';
import RecipeFigure from '../../site/components/RecipeFigure.vue';
import { startOffline } from '../../site/offline/start.ts';
import './style.css';

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('LiveExample', LiveExample);
    app.component('MethodPicture', MethodPicture);
    app.component('RecipeFigure', RecipeFigure);
    if (!import.meta.env.SSR) startOffline(import.meta.env.BASE_URL);
  },
} satisfies Theme;
