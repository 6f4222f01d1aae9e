import { judgeModels } from './models-share.ts';

judgeModels(1);
